/** Owns the device that the latency is shown for: this computer, one that is estimated, or one of the person's own; kept between visits. */
import { create } from 'zustand';
import { Fault } from '#shared/base/fault.ts';
import { text } from '#shared/base/text.ts';
import { deviceOf, devices } from '#shared/devices/catalogue.ts';
import { type DeviceProfile, parseDeviceProfile } from '#shared/devices/profile.ts';

/** The device id of the person's own profile, whatever id it carries. */
export const ownDevice = 'own';

export interface DeviceChoice {
  /** A device of the catalogue, or `ownDevice`. */
  readonly device: string;
  readonly unit: string;
}

interface Chosen {
  /** null: this computer. */
  readonly choice: DeviceChoice | null;
  readonly own: DeviceProfile | null;
}

const [key, ownKey] = ['bantam.device', 'bantam.own-device'];

function kept(): Chosen {
  let own: DeviceProfile | null = null;
  try {
    const kept = localStorage.getItem(ownKey);
    if (kept !== null) own = parseDeviceProfile(JSON.parse(kept));
  } catch {
    // of another version: it can be loaded again
  }
  const [device = '', unit = ''] = (localStorage.getItem(key) ?? '').split('/');
  const profile = device === ownDevice ? own : devices().find((d) => d.id === device);
  return { choice: profile?.units.some((u) => u.id === unit) === true ? { device, unit } : null, own };
}

export const useDeviceChoice = create<Chosen>(kept);

export function chooseDevice(choice: DeviceChoice | null): void {
  useDeviceChoice.setState({ choice });
  if (choice === null) localStorage.removeItem(key);
  else localStorage.setItem(key, `${choice.device}/${choice.unit}`);
}

/** Takes a profile from the text of a file and chooses it. Faults: `bad-file`, `bad-input`, naming the field. */
export function loadProfile(content: string, file: string): void {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new Fault('bad-file', text('not JSON', 'JSON이 아닙니다'), { where: file });
  }
  const own = parseDeviceProfile(value, file);
  localStorage.setItem(ownKey, JSON.stringify(own));
  useDeviceChoice.setState({ own });
  chooseDevice({ device: ownDevice, unit: own.units[0]?.id ?? '' });
}

/** The profile behind a choice. */
export const chosenProfile = ({ device }: DeviceChoice, own: DeviceProfile | null): DeviceProfile =>
  device === ownDevice && own !== null ? own : deviceOf(device);
