import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The laws over whole collections of models take minutes in one file: begun last, one core would wait for them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = (f: TestSpecification): boolean => /\/law\.\w+\.test\.ts$/.test(f.moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((f) => !isLong(f))];
  }
}

/** Unit tests stand beside the source; what needs a browser stands in e2e/. */
export default defineConfig({
  test: {
    include: ['shared/**/*.test.ts', 'electron/**/*.test.ts', 'renderer/**/*.test.ts', 'renderer/**/*.test.tsx'],
    setupFiles: ['shared/testing/seed.ts'],
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
