/** Owns what a journey stands on: a browser and a studio of its own, started before and ended after, whatever happens between. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { launch, openPage, type PageOptions, type Studio, startStudio } from './browser.ts';

export interface Stage {
  /** A page of the studio, as `openPage`. */
  readonly open: (o?: PageOptions) => ReturnType<typeof openPage>;
}

/**
 * Registers start and end for the journeys of the block it is called in. `each`: every journey has a studio of its own, because a
 * studio remembers what was made of a model. `prepare` fills its data folder before it starts.
 */
export function stage(
  chrome: string | undefined,
  studioFor: 'all' | 'each' = 'all',
  prepare?: (home: string) => void,
): Stage {
  let studio: Studio | undefined;
  let browser: Browser | undefined;
  const start = async (): Promise<void> => {
    studio = await startStudio(prepare);
  };
  const stop = async (): Promise<void> => studio?.stop();
  const [before, after] = studioFor === 'all' ? [beforeAll, afterAll] : [beforeEach, afterEach];
  before(start);
  beforeAll(async () => {
    if (chrome !== undefined) browser = await launch(chrome);
  });
  after(stop);
  afterAll(async () => {
    await browser?.close();
  });
  return {
    open: (o) => {
      if (browser === undefined || studio === undefined) throw new Error('the stage is not up yet');
      return openPage(browser, studio.url, o);
    },
  };
}
