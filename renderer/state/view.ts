/** Owns how the document is looked at (colours, panels, palette): not part of it, kept between visits. */
import { create } from 'zustand';

export type ColourBy = 'operator' | 'macs' | 'parameters';

interface ViewState {
  readonly colourBy: ColourBy;
  readonly leftWidth: number;
  readonly rightWidth: number;
  readonly jobsHeight: number;
  readonly jobsOpen: boolean;
  readonly paletteOpen: boolean;
  readonly dialog: 'open' | 'export' | 'try' | null;
}

const key = 'bantam.view';
const initial: ViewState = {
  colourBy: 'operator',
  leftWidth: 264,
  rightWidth: 372,
  jobsHeight: 304,
  jobsOpen: false,
  paletteOpen: false,
  dialog: null,
};

function kept(): Partial<ViewState> {
  try {
    const { colourBy, leftWidth, rightWidth, jobsHeight } = JSON.parse(localStorage.getItem(key) ?? '{}');
    const numbers = { leftWidth, rightWidth, jobsHeight };
    return {
      ...(['operator', 'macs', 'parameters'].includes(colourBy) ? { colourBy } : {}),
      ...Object.fromEntries(Object.entries(numbers).filter(([, v]) => typeof v === 'number' && v > 100 && v < 900)),
    };
  } catch {
    return {};
  }
}

export const useView = create<ViewState>(() => ({ ...initial, ...kept() }));

export function setView(part: Partial<ViewState>): void {
  useView.setState(part);
  const { colourBy, leftWidth, rightWidth, jobsHeight } = useView.getState();
  localStorage.setItem(key, JSON.stringify({ colourBy, leftWidth, rightWidth, jobsHeight }));
}
