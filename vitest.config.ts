import { defineConfig } from 'vitest/config';

/** Unit tests stand beside the source; what needs a browser stands in e2e/. */
export default defineConfig({
  test: {
    include: ['shared/**/*.test.ts', 'electron/**/*.test.ts', 'renderer/**/*.test.ts', 'renderer/**/*.test.tsx'],
    setupFiles: ['shared/testing/seed.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
