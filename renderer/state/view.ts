/** Owns how the document is looked at (colours, panels, palette): not part of it, kept between visits. */
import { create } from 'zustand';
import { type TechniqueGroup, techniqueGroups } from '#shared/techniques/groups.ts';

export const colourings = ['operator', 'macs', 'parameters', 'latency', 'sparsity', 'precision'] as const;
export type ColourBy = (typeof colourings)[number];

interface ViewState {
  readonly colourBy: ColourBy;
  readonly leftWidth: number;
  readonly rightWidth: number;
  readonly jobsHeight: number;
  readonly jobsOpen: boolean;
  /** Technique that the explain tab speaks of; null: the first. */
  readonly explained: string | null;
  /** Families of techniques that are unfolded. */
  readonly families: readonly TechniqueGroup[];
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
  explained: null,
  families: ['prune', 'quantize', 'share'],
  paletteOpen: false,
  dialog: null,
};

function kept(): Partial<ViewState> {
  try {
    const { colourBy, leftWidth, rightWidth, jobsHeight, families } = JSON.parse(localStorage.getItem(key) ?? '{}');
    const numbers = { leftWidth, rightWidth, jobsHeight };
    return {
      ...(colourings.includes(colourBy) ? { colourBy } : {}),
      ...(Array.isArray(families)
        ? { families: techniqueGroups.map((g) => g.id).filter((id) => families.includes(id)) }
        : {}),
      ...Object.fromEntries(Object.entries(numbers).filter(([, v]) => typeof v === 'number' && v > 100 && v < 900)),
    };
  } catch {
    return {};
  }
}

export const useView = create<ViewState>(() => ({ ...initial, ...kept() }));

export function setView(part: Partial<ViewState>): void {
  useView.setState(part);
  const { colourBy, leftWidth, rightWidth, jobsHeight, families } = useView.getState();
  localStorage.setItem(key, JSON.stringify({ colourBy, leftWidth, rightWidth, jobsHeight, families }));
}
