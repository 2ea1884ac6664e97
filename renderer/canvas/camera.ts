/** Owns the camera: how the palette, the keyboard and other features move the canvas, if there is one. */

export interface Camera {
  /** Brings a node (id of the ir graph) to the middle. */
  show(id: string): void;
  fit(): void;
  zoomBy(factor: number): void;
}

let current: Camera | null = null;
export const setCamera = (camera: Camera | null): void => {
  current = camera;
};
export const camera: Camera = {
  show: (id) => current?.show(id),
  fit: () => current?.fit(),
  zoomBy: (factor) => current?.zoomBy(factor),
};
