/** Owns the device that the latency is shown for: this computer, or one that is estimated; kept between visits. */
import { create } from 'zustand';
import { devices } from '#shared/devices/catalogue.ts';

/** null: this computer. */
export interface DeviceChoice {
  readonly device: string;
  readonly unit: string;
}

const key = 'bantam.device';

function kept(): DeviceChoice | null {
  const [device = '', unit = ''] = (localStorage.getItem(key) ?? '').split('/');
  const found =
    devices()
      .find((d) => d.id === device)
      ?.units.some((u) => u.id === unit) === true;
  return found ? { device, unit } : null;
}

export const useDeviceChoice = create<{ readonly choice: DeviceChoice | null }>(() => ({ choice: kept() }));

export function chooseDevice(choice: DeviceChoice | null): void {
  useDeviceChoice.setState({ choice });
  if (choice === null) localStorage.removeItem(key);
  else localStorage.setItem(key, `${choice.device}/${choice.unit}`);
}
