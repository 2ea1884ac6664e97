/** Owns the one store of the screen's document, and the hooks that features read it by. */
import { create } from 'zustand';
import { applyChange } from './apply.ts';
import type { Change } from './change.ts';
import { type DocumentState, emptyDocument } from './document.ts';

const useStore = create<DocumentState>(() => emptyDocument);

/** Reads a part of the document: `useDocument((d) => d.selection)`. The selector must return a stable value. */
export const useDocument = useStore;

/** Applies a change. Features never set state in any other way. */
export const dispatch = (change: Change): void => useStore.setState((d) => applyChange(d, change), true);

/** The document now, for event handlers. */
export const currentDocument = (): DocumentState => useStore.getState();
