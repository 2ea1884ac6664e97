import { defineConfig } from 'vitest/config';

/** Journeys in a real browser, one after the other: they share this machine's processor. */
export default defineConfig({
  test: {
    include: ['e2e/journeys/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
