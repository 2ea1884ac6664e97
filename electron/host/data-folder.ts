/** Owns where Bantam keeps its own files: $BANTAM_HOME, else ~/.bantam. */
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';

export interface DataFolder {
  readonly root: string;
  /** Held models, one folder each. */
  readonly models: string;
  readonly journal: string;
  /** One folder for each job that is not done: how far it is. */
  readonly checkpoints: string;
  readonly project: string;
  /** Trained models of others, as fetched. */
  readonly fetched: string;
  /** What calibration learnt of this machine. */
  readonly machine: string;
}

const defaultRoot = (): string => process.env.BANTAM_HOME ?? join(homedir(), '.bantam');
/** Where the profile of this machine stands, whether or not the folder is there. */
export const machineFolder = (root = defaultRoot()): string => join(resolve(root), 'machine');

/** Makes the folders that are missing. Faults: `denied` where that cannot be. */
export function dataFolder(root = defaultRoot()): DataFolder {
  const at = resolve(root);
  const models = join(at, 'models');
  try {
    mkdirSync(models, { recursive: true });
  } catch (thrown) {
    throw new Fault(
      'denied',
      text(
        `the data folder cannot be made: ${thrown instanceof Error ? thrown.message : thrown}`,
        `데이터 폴더를 만들 수 없습니다: ${thrown instanceof Error ? thrown.message : thrown}`,
      ),
      {
        where: at,
        hint: text('Set BANTAM_HOME to a folder that can be written.', 'BANTAM_HOME을 쓸 수 있는 폴더로 정하세요.'),
      },
    );
  }
  return {
    root: at,
    models,
    journal: join(at, 'jobs', 'journal.jsonl'),
    checkpoints: join(at, 'jobs', 'checkpoints'),
    project: join(at, 'project.json'),
    fetched: join(at, 'fetched'),
    machine: machineFolder(at),
  };
}
