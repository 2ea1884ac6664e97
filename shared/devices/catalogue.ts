/** Owns the devices that Bantam knows: the profiles of assets/devices, checked when they are first asked for. */
import appleA12 from '../../assets/devices/apple-a12.json' with { type: 'json' };
import appleA18 from '../../assets/devices/apple-a18.json' with { type: 'json' };
import edgeTpu from '../../assets/devices/edge-tpu.json' with { type: 'json' };
import exynos9810 from '../../assets/devices/exynos-9810.json' with { type: 'json' };
import exynos9820 from '../../assets/devices/exynos-9820.json' with { type: 'json' };
import jetsonOrinNano from '../../assets/devices/jetson-orin-nano.json' with { type: 'json' };
import jetsonTx2 from '../../assets/devices/jetson-tx2.json' with { type: 'json' };
import kirin970 from '../../assets/devices/kirin-970.json' with { type: 'json' };
import neuralComputeStick from '../../assets/devices/neural-compute-stick.json' with { type: 'json' };
import neuralComputeStick2 from '../../assets/devices/neural-compute-stick-2.json' with { type: 'json' };
import raspberryPi4 from '../../assets/devices/raspberry-pi-4.json' with { type: 'json' };
import raspberryPi5 from '../../assets/devices/raspberry-pi-5.json' with { type: 'json' };
import snapdragon8Elite from '../../assets/devices/snapdragon-8-elite.json' with { type: 'json' };
import snapdragon710 from '../../assets/devices/snapdragon-710.json' with { type: 'json' };
import snapdragon821 from '../../assets/devices/snapdragon-821.json' with { type: 'json' };
import snapdragon835 from '../../assets/devices/snapdragon-835.json' with { type: 'json' };
import snapdragon845 from '../../assets/devices/snapdragon-845.json' with { type: 'json' };
import stm32n6 from '../../assets/devices/stm32n6.json' with { type: 'json' };
import tensorG4 from '../../assets/devices/tensor-g4.json' with { type: 'json' };
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import { type DeviceProfile, parseDeviceProfile } from './profile.ts';

/** As a list offers them: boards, phones of today, those of the survey, accelerators, a microcontroller. */
const written: readonly { readonly id: string }[] = [
  raspberryPi5,
  raspberryPi4,
  jetsonOrinNano,
  jetsonTx2,
  snapdragon8Elite,
  appleA18,
  tensorG4,
  snapdragon845,
  snapdragon835,
  snapdragon821,
  snapdragon710,
  kirin970,
  appleA12,
  exynos9820,
  exynos9810,
  edgeTpu,
  neuralComputeStick2,
  neuralComputeStick,
  stm32n6,
];

let parsed: readonly DeviceProfile[] | undefined;

/** Every profile that Bantam ships. */
export function devices(): readonly DeviceProfile[] {
  parsed ??= written.map((p) => parseDeviceProfile(p, p.id));
  return parsed;
}

/** Faults: `not-found`, naming those that look alike. */
export function deviceOf(id: string): DeviceProfile {
  const found = devices().find((d) => d.id === id);
  if (found !== undefined) return found;
  const plain = (s: string): string => s.toLowerCase().replace(/[^a-z0-9]/g, '');
  const near = devices().filter((d) => plain(d.id).includes(plain(id)) || plain(d.name).includes(plain(id)));
  throw new Fault('not-found', text(`there is no device "${id}"`, `장치 "${id}"이(가) 없습니다`), {
    hint: near.length > 0 ? `Did you mean ${near.map((d) => d.id).join(', ')}?` : 'See them with "bantam device list".',
  });
}
