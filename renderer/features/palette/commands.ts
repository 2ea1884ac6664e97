/** Owns the commands of the palette and their keys: one list, read by the palette and by the keyboard. */
import { type Text, text } from '#shared/base/text.ts';
import { camera } from '../../canvas/camera.ts';
import { viewOf } from '../../canvas/graph-view.ts';
import { allLike } from '../../canvas/selection.ts';
import { currentDocument, dispatch } from '../../state/store.ts';
import { setView, useView } from '../../state/view.ts';
import { useLanguage } from '../../ui/language.ts';
import { useTheme } from '../../ui/theme.ts';

export interface Command {
  readonly id: string;
  readonly title: Text;
  /** As shown and as matched: 'Mod+Z' (Mod is Ctrl, or Command on a Mac). */
  readonly keys?: string;
  readonly run: () => void;
}

const modelOpen = (): boolean => currentDocument().open !== null;

export const commands: readonly Command[] = [
  {
    id: 'open',
    title: text('Open file …', '파일 열기 …'),
    keys: 'Mod+O',
    run: () => document.getElementById('open-file')?.click(),
  },
  { id: 'undo', title: text('Undo', '실행 취소'), keys: 'Mod+Z', run: () => dispatch({ type: 'undone' }) },
  { id: 'redo', title: text('Redo', '다시 실행'), keys: 'Mod+Shift+Z', run: () => dispatch({ type: 'redone' }) },
  { id: 'fit', title: text('Fit the graph', '그래프 전체 보기'), keys: 'Mod+0', run: () => camera.fit() },
  {
    id: 'alike',
    title: text('Select all like the last selected', '마지막 선택과 같은 종류 모두 선택'),
    run: () => {
      const { open, selection } = currentDocument();
      const last = selection.at(-1);
      if (open !== null && last !== undefined)
        dispatch({ type: 'selected', ids: allLike(viewOf(open.model.graph), last), mode: 'add' });
    },
  },
  {
    id: 'colour-operator',
    title: text('Colour by operator', '연산자별 색'),
    run: () => setView({ colourBy: 'operator' }),
  },
  { id: 'colour-macs', title: text('Colour by MACs', 'MACs별 색'), run: () => setView({ colourBy: 'macs' }) },
  {
    id: 'colour-parameters',
    title: text('Colour by parameters', '파라미터별 색'),
    run: () => setView({ colourBy: 'parameters' }),
  },
  {
    id: 'colour-latency',
    title: text('Colour by measured latency', '측정한 지연 시간별 색'),
    run: () => setView({ colourBy: 'latency' }),
  },
  {
    id: 'colour-sparsity',
    title: text('Colour by zeros', '0의 비율별 색'),
    run: () => setView({ colourBy: 'sparsity' }),
  },
  { id: 'colour-precision', title: text('Colour by bits', '비트별 색'), run: () => setView({ colourBy: 'precision' }) },
  {
    id: 'jobs',
    title: text('Show or hide jobs', '작업 보이기/숨기기'),
    keys: 'Mod+J',
    run: () => setView({ jobsOpen: !useView.getState().jobsOpen }),
  },
  {
    id: 'try',
    title: text('Try it …', '직접 해 보기 …'),
    run: () => {
      if (modelOpen()) setView({ dialog: 'try' });
    },
  },
  {
    id: 'export',
    title: text('Export …', '내보내기 …'),
    keys: 'Mod+E',
    run: () => {
      if (modelOpen()) setView({ dialog: 'export' });
    },
  },
  { id: 'light', title: text('Light theme', '밝은 테마'), run: () => useTheme.getState().setTheme('light') },
  { id: 'dark', title: text('Dark theme', '어두운 테마'), run: () => useTheme.getState().setTheme('dark') },
  {
    id: 'system',
    title: text('Theme of the system', '시스템 테마'),
    run: () => useTheme.getState().setTheme('system'),
  },
  { id: 'en', title: text('English', 'English'), run: () => useLanguage.getState().setLanguage('en') },
  { id: 'ko', title: text('한국어', '한국어'), run: () => useLanguage.getState().setLanguage('ko') },
];

const mac = navigator.platform.startsWith('Mac');
export const shownKeys = (keys: string): string => keys.replace('Mod', mac ? '⌘' : 'Ctrl').replaceAll('+', ' ');

/** The pressed keys in the form of `Command.keys`. */
export function pressed(e: KeyboardEvent): string {
  const mod = mac ? e.metaKey : e.ctrlKey;
  return [mod ? 'Mod' : '', e.shiftKey ? 'Shift' : '', e.key.length === 1 ? e.key.toUpperCase() : e.key]
    .filter((k) => k !== '')
    .join('+');
}
