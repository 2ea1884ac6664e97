/** The types of build.mjs, for tests that build what they run. */
export const root: string;
export function buildNode(outdir?: string): Promise<void>;
export function buildElectron(outdir?: string): Promise<void>;
export function buildPage(): Promise<boolean>;
