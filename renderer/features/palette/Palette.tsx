/** Owns the palette: one box that finds layers, runs commands and selects by a query. */
import { CornerDownLeft, Layers, ListFilter } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from 'react';
import { camera } from '../../canvas/camera.ts';
import { viewOf } from '../../canvas/graph-view.ts';
import { dispatch, useDocument } from '../../state/store.ts';
import { setView } from '../../state/view.ts';
import { useText } from '../../ui/language.ts';
import { commands, shownKeys } from './commands.ts';
import { findLayers } from './find.ts';
import { queried } from './query.ts';
import { words } from './words.ts';

interface Item {
  readonly key: string;
  readonly icon: ReactNode;
  readonly title: string;
  readonly note: string;
  readonly run: () => void;
}

export function Palette() {
  const say = useText();
  const open = useDocument((d) => d.open);
  const [asked, setAsked] = useState('');
  const [at, setAt] = useState(0);
  const list = useId();
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => ref.current?.showModal(), []);
  const close = (): void => setView({ paletteOpen: false });

  const items = useMemo((): readonly Item[] => {
    const text = asked.trim().toLowerCase();
    const layers = open === null ? [] : findLayers(viewOf(open.model.graph), text, 40);
    const matches = open === null || text === '' ? [] : queried(open.model, asked.trim());
    return [
      ...(matches.length > 0
        ? [
            {
              key: 'query',
              icon: <ListFilter />,
              title: say(words.query, { n: matches.length }),
              note: '',
              run: () => {
                dispatch({ type: 'selected', ids: matches, mode: 'replace' });
                const first = matches[0];
                if (first !== undefined) camera.show(first);
              },
            },
          ]
        : []),
      ...layers.map((v) => ({
        key: `layer ${v.id}`,
        icon: <Layers />,
        title: v.title,
        note: v.name,
        run: () => {
          dispatch({ type: 'selected', ids: [v.id], mode: 'replace' });
          camera.show(v.id);
        },
      })),
      ...commands
        .filter((c) => text === '' || c.title.en.toLowerCase().includes(text) || c.title.ko.includes(text))
        .map((c) => ({
          key: c.id,
          icon: <CornerDownLeft />,
          title: say(c.title),
          note: c.keys === undefined ? '' : shownKeys(c.keys),
          run: c.run,
        })),
    ];
  }, [asked, open, say]);

  const run = (item: Item | undefined): void => {
    if (item === undefined) return;
    close();
    item.run();
  };
  const keys = (e: KeyboardEvent): void => {
    if (e.key === 'ArrowDown') setAt(Math.min(items.length - 1, at + 1));
    else if (e.key === 'ArrowUp') setAt(Math.max(0, at - 1));
    else if (e.key === 'Enter') run(items[at]);
    else return;
    e.preventDefault();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a press on the backdrop; Escape is the native cancel
    <dialog
      ref={ref}
      className="dialog palette"
      aria-label={say(words.open)}
      onClose={close}
      onClick={(e) => {
        if (e.target === ref.current) close();
      }}
    >
      <input
        className="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={items[at] === undefined ? undefined : `${list}-${at}`}
        aria-label={say(words.open)}
        placeholder={say(words.placeholder)}
        value={asked}
        onChange={(e) => {
          setAsked(e.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={keys}
      />
      <div className="palette-list" id={list} role="listbox" aria-label={say(words.open)}>
        {items.map((item, i) => (
          <button
            key={item.key}
            id={`${list}-${i}`}
            type="button"
            role="option"
            aria-selected={i === at}
            tabIndex={-1}
            className="menu-item"
            ref={(el) => {
              if (i === at) el?.scrollIntoView({ block: 'nearest' });
            }}
            onClick={() => run(item)}
          >
            {item.icon}
            <span className="grow">{item.title}</span>
            <span className="kbd ellipsis">{item.note}</span>
          </button>
        ))}
        {items.length === 0 && <p className="empty">{say(words.none)}</p>}
      </div>
    </dialog>
  );
}
