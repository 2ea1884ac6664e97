/** Owns the worker that estimates on this computer, so that a slider never waits for it. */
import { serveModel } from '../../state/serve-model.ts';
import { machineAnswer } from './machine-answer.ts';

serveModel(machineAnswer);
