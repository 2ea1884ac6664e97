/** What the device worker answers: before and after the recipe, the step under a slider, and steps that cannot be done. */
import { describe, expect, it } from 'vitest';
import { deviceOf } from '#shared/devices/catalogue.ts';
import { lenet5 } from '#shared/zoo/lenet.ts';
import { type Editable, emptyEdit } from '../../state/document.ts';
import { deviceAnswer } from './device-answer.ts';

const model = lenet5();
const pruned = (ratio: number) =>
  ({ technique: 'prune-channels', select: { all: true as const }, params: { ratio } }) as const;
const withSteps = (...steps: readonly Editable['steps'][number]['step'][]): Editable => ({
  ...emptyEdit,
  steps: steps.map((step, k) => ({ key: String(k), step })),
});
const pi = { profile: deviceOf('raspberry-pi-5'), unit: 'cpu' };

describe('the answer for a device', () => {
  it('is the same before and after where there is no step', () => {
    const answer = deviceAnswer(model, { edit: emptyEdit, draft: null, ...pi }, undefined);
    expect(answer?.now).toEqual(answer?.before);
    expect(answer?.now.ms).toBeGreaterThan(0);
    expect(answer?.check).toBeNull();
  });

  it('follows the recipe, and the step under a slider', () => {
    const half = deviceAnswer(model, { edit: withSteps(pruned(0.5)), draft: null, ...pi }, undefined);
    const most = deviceAnswer(model, { edit: emptyEdit, draft: pruned(0.8), ...pi }, undefined);
    expect(half!.now.ms!).toBeLessThan(half!.before.ms!);
    expect(most!.now.ms!).toBeLessThan(half!.now.ms!);
    expect(most!.now.energyMj!).toBeLessThan(half!.now.energyMj!);
    expect(most!.before).toEqual(half!.before);
  });

  it('stops before a step that cannot be previewed', () => {
    const wrong = { technique: 'prune-channels', select: { op: 'LSTM' }, params: {} };
    const answer = deviceAnswer(model, { edit: withSteps(pruned(0.5), wrong), draft: null, ...pi }, undefined);
    expect(answer?.now.ms).toBe(
      deviceAnswer(model, { edit: withSteps(pruned(0.5)), draft: null, ...pi }, undefined)?.now.ms,
    );
  });

  it('names each reason of a refusal once, and the check of the unit', () => {
    const answer = deviceAnswer(
      model,
      { edit: emptyEdit, draft: null, profile: deviceOf('edge-tpu'), unit: 'npu' },
      undefined,
    );
    expect(answer?.now.refused).toEqual([{ why: { kind: 'type', type: 'fp32' }, layers: 6 }]);
    expect(answer?.now.fallenBack).toBe(6);
    expect(answer?.check?.rows).toBeGreaterThan(2);
    const mine = { ...deviceOf('edge-tpu'), year: 2025 };
    expect(
      deviceAnswer(model, { edit: emptyEdit, draft: null, profile: mine, unit: 'npu' }, undefined)?.check,
    ).toBeNull();
    expect(
      deviceAnswer(model, { edit: emptyEdit, draft: null, profile: deviceOf('edge-tpu'), unit: 'dsp' }, undefined),
    ).toBeNull();
  });
});
