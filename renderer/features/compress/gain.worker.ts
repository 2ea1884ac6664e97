/** Owns the worker that works out what cards would give, so that no technique blocks the page. */
import { serveModel } from '../../state/serve-model.ts';
import { gainOf } from './gain.ts';

serveModel(gainOf);
