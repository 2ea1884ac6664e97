/** Owns the headline: the figures of a model without its layers, as jobs and reports carry them. */
import type { Figures } from '../analysis/figures.ts';
import type { Headline } from './calls.ts';

export const headlineOf = (figures: Figures): Headline => ({
  opset: figures.opset,
  nodes: figures.nodes,
  parameters: figures.parameters,
  fileBytes: figures.fileBytes,
  macs: figures.macs,
  peakActivationBytes: figures.peakActivationBytes,
});
