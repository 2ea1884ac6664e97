/** Owns the choice of the device that the latency is for, in the title of its figure. */
import { useRef } from 'react';

import type { Text } from '#shared/base/text.ts';
import { devices } from '#shared/devices/catalogue.ts';
import type { DeviceProfile, Unit } from '#shared/devices/profile.ts';
import { useText } from '../../ui/language.ts';
import { showFault } from '../../ui/toast.ts';
import { chooseDevice, loadProfile, ownDevice, useDeviceChoice } from './device-choice.ts';
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

const load = 'load';

function Units({ device, as }: { readonly device: DeviceProfile; readonly as: string }) {
  return device.units.map((u) => (
    <option key={u.id} value={`${as}/${u.id}`}>
      {unitName(device, u)}
    </option>
  ));
}

export function DevicePicker() {
  const say = useText();
  const { choice, own } = useDeviceChoice();
  const file = useRef<HTMLInputElement>(null);
  const take = (chosen: File): void => {
    chosen
      .text()
      .then((text) => loadProfile(text, chosen.name))
      .catch((thrown: unknown) => showFault(deviceWords.notLoaded, thrown));
  };
  return (
    <>
      <select
        className="device-select"
        aria-label={say(deviceWords.device)}
        value={choice === null ? '' : `${choice.device}/${choice.unit}`}
        onChange={(e) => {
          const [device = '', unit = ''] = e.currentTarget.value.split('/');
          if (device === load) file.current?.click();
          else chooseDevice(device === '' ? null : { device, unit });
        }}
      >
        <option value="">{say(deviceWords.thisComputer)}</option>
        <optgroup label={say(deviceWords.yours)}>
          {own !== null && <Units device={own} as={ownDevice} />}
          <option value={load}>{say(deviceWords.load)}</option>
        </optgroup>
        {groups.map(({ title, kinds }) => (
          <optgroup key={title.en} label={`${say(title)} (${say(deviceWords.estimated)})`}>
            {devices()
              .filter((d) => kinds.includes(d.kind))
              .map((d) => (
                <Units key={d.id} device={d} as={d.id} />
              ))}
          </optgroup>
        ))}
      </select>
      <input
        ref={file}
        className="device-file"
        type="file"
        accept=".json,application/json"
        hidden
        onChange={(e) => {
          const [chosen] = e.currentTarget.files ?? [];
          if (chosen !== undefined) take(chosen);
          e.currentTarget.value = '';
        }}
      />
    </>
  );
}
