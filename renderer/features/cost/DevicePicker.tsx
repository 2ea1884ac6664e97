/** Owns the choice of the device that the latency is for, in the title of its figure. */

import type { Text } from '#shared/base/text.ts';
import { devices } from '#shared/devices/catalogue.ts';
import type { DeviceProfile, Unit } from '#shared/devices/profile.ts';
import { useText } from '../../ui/language.ts';
import { chooseDevice, useDeviceChoice } from './device-choice.ts';
import { deviceWords } from './device-words.ts';

const groups: readonly { readonly title: Text; readonly kinds: readonly DeviceProfile['kind'][] }[] = [
  { title: deviceWords.boards, kinds: ['board', 'computer'] },
  { title: deviceWords.phones, kinds: ['phone'] },
  { title: deviceWords.accelerators, kinds: ['accelerator', 'stick', 'microcontroller'] },
];

/** The first unit goes by the device's name alone. */
export const unitName = (device: DeviceProfile, unit: Unit): string =>
  device.units[0] === unit
    ? device.name
    : `${device.name} · ${unit.id === 'cpu' ? 'CPU' : unit.name}${unit.id === 'cpu-2018' ? ' (TFLite 2018)' : ''}`;

export function DevicePicker() {
  const say = useText();
  const choice = useDeviceChoice((s) => s.choice);
  return (
    <select
      className="device-select"
      aria-label={say(deviceWords.device)}
      value={choice === null ? '' : `${choice.device}/${choice.unit}`}
      onChange={(e) => {
        const [device = '', unit = ''] = e.currentTarget.value.split('/');
        chooseDevice(device === '' ? null : { device, unit });
      }}
    >
      <option value="">{say(deviceWords.thisComputer)}</option>
      {groups.map(({ title, kinds }) => (
        <optgroup key={title.en} label={`${say(title)} (${say(deviceWords.estimated)})`}>
          {devices()
            .filter((d) => kinds.includes(d.kind))
            .flatMap((d) =>
              d.units.map((u) => (
                <option key={`${d.id}/${u.id}`} value={`${d.id}/${u.id}`}>
                  {unitName(d, u)}
                </option>
              )),
            )}
        </optgroup>
      ))}
    </select>
  );
}
