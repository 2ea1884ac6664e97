/** Owns the menu under the model's name: open a file, samples, trained models of others, the zoo. */
import { ChevronDown, FileUp, FlaskConical } from 'lucide-react';
import { useRef } from 'react';
import { useCall, useHost } from '../../host/use-host.tsx';
import { useDocument } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { shortBytes } from '../../ui/format.ts';
import { useText } from '../../ui/language.ts';
import { Popover } from '../../ui/Popover.tsx';
import { CatalogueList } from './CatalogueList.tsx';
import { openByDialog, openFiles, openSample } from './open-model.ts';
import { Recent } from './Recent.tsx';
import { words } from './words.ts';
import { ZooList } from './ZooList.tsx';

export function OpenMenu() {
  const say = useText();
  const host = useHost();
  const open = useDocument((d) => d.open);
  const hello = useCall('hello', {});
  const picker = useRef<HTMLInputElement>(null);
  const dialogs = hello.state === 'done' && hello.value.capabilities.dialogs;
  const samples = hello.state === 'done' ? hello.value.samples : [];
  return (
    <>
      <Popover
        label={say(words.open)}
        trigger={({ open: shown, toggle }) => (
          <Button onClick={toggle} aria-haspopup="menu" aria-expanded={shown}>
            <span className="ellipsis">{open?.name ?? say(words.open)}</span>
            <ChevronDown />
          </Button>
        )}
      >
        {(close) => (
          <div className="menu">
            <button
              type="button"
              className="menu-item"
              onClick={() => {
                close();
                if (dialogs) void openByDialog(host);
                else picker.current?.click();
              }}
            >
              <FileUp />
              <span className="grow">{say(words.openFile)}</span>
              <span className="kbd">Ctrl O</span>
            </button>
            <Recent close={close} />
            <div className="menu-label section-title">{say(words.samples)}</div>
            {samples.map((s) => (
              <button
                type="button"
                key={s.id}
                className="menu-item"
                title={s.note}
                onClick={() => {
                  close();
                  void openSample(host, s.id, s.title);
                }}
              >
                <FlaskConical />
                <span className="grow">{s.title}</span>
                <span className="muted small">{shortBytes(s.fileBytes)}</span>
              </button>
            ))}
            {samples.length === 0 && (
              <p className="muted small" style={{ padding: '4px 10px 8px' }}>
                {say(hello.state === 'waiting' ? words.waiting : words.noSamples)}
              </p>
            )}
            <CatalogueList close={close} />
            <ZooList close={close} />
          </div>
        )}
      </Popover>
      <input
        ref={picker}
        id="open-file"
        type="file"
        multiple
        hidden
        aria-label={say(words.openFile)}
        onChange={(e) => {
          const files = [...(e.currentTarget.files ?? [])];
          e.currentTarget.value = '';
          void openFiles(host, files);
        }}
      />
    </>
  );
}
