/** Owns the export dialog. */
import { text } from '#shared/base/text.ts';
import { Dialog } from '../../ui/Dialog.tsx';
import { useText } from '../../ui/language.ts';

const words = { title: text('Export', '내보내기') } as const;

export function ExportDialog({ onClose }: { readonly onClose: () => void }) {
  const say = useText();
  return (
    <Dialog title={say(words.title)} onClose={onClose}>
      <p className="muted" />
    </Dialog>
  );
}
