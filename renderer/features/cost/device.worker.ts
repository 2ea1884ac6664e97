/** Owns the worker that estimates on a device, so that a slider never waits for it. */
import { serveModel } from '../../state/serve-model.ts';
import { deviceAnswer } from './device-answer.ts';

serveModel(deviceAnswer);
