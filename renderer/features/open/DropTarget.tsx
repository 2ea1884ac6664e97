/** Owns dropping files anywhere on the page. */
import { type ReactNode, useEffect, useState } from 'react';
import { useHost } from '../../host/use-host.tsx';
import { useText } from '../../ui/language.ts';
import { openFiles } from './open-model.ts';
import { words } from './words.ts';

const hasFiles = (e: DragEvent): boolean => e.dataTransfer?.types.includes('Files') ?? false;

export function DropTarget({ children }: { readonly children: ReactNode }) {
  const say = useText();
  const host = useHost();
  const [over, setOver] = useState(false);
  useEffect(() => {
    const drag = (e: DragEvent): void => {
      if (!hasFiles(e)) return;
      e.preventDefault();
      setOver(true);
    };
    const leave = (e: DragEvent): void => {
      if (e.relatedTarget === null) setOver(false);
    };
    const drop = (e: DragEvent): void => {
      if (!hasFiles(e)) return;
      e.preventDefault();
      setOver(false);
      void openFiles(host, [...(e.dataTransfer?.files ?? [])]);
    };
    addEventListener('dragover', drag);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', drag);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, [host]);
  return (
    <>
      {children}
      {over && <div className="drop-veil">{say(words.dropNow)}</div>}
    </>
  );
}
