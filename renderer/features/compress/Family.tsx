/** Owns a family of techniques: its heading with how many fit and the best they do to the file, and folding it. */
import { ChevronDown, ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import type { TechniqueGroup } from '#shared/techniques/groups.ts';
import { setView, useView } from '../../state/view.ts';
import { useText } from '../../ui/language.ts';
import { bestFile } from './GainRow.tsx';
import type { Gain } from './gain.ts';
import { words } from './words.ts';

export interface FamilyProps {
  readonly id: TechniqueGroup;
  readonly title: string;
  readonly gains: readonly (Gain | null)[];
  readonly children: ReactNode;
}

export function Family({ id, title, gains, children }: FamilyProps) {
  const say = useText();
  const families = useView((v) => v.families);
  const open = families.includes(id);
  const best = bestFile(gains);
  return (
    <section className="family" data-family={id}>
      <button
        type="button"
        className="family-head"
        aria-expanded={open}
        onClick={() => setView({ families: open ? families.filter((f) => f !== id) : [...families, id] })}
      >
        {open ? <ChevronDown /> : <ChevronRight />}
        <span className="section-title">{title}</span>
        <span className="count">{gains.length}</span>
        <span className="grow" />
        {!open && best !== undefined && (
          <span className="muted small">
            {say(words.file)} <span className="estimated">{best}</span>
          </span>
        )}
      </button>
      {open && children}
    </section>
  );
}
