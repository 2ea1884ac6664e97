/** Owns LeNet-300-100 and LeNet-5 for 28 x 28 grey digits, the nets that Deep Compression (Han et al. 2016) measures. */
import { text } from '../../base/text.ts';
import type { ZooEntry } from '../declare.ts';

const source = 'LeCun, Bottou, Bengio, Haffner 1998';

/** Two hidden layers of this many units, the students of Hinton, Vinyals, Dean 2015, section 3. */
const twoHidden = (units: number): ZooEntry => ({
  id: `mlp-2x${units}`,
  title: text(`2 × ${units} units`, `2 × ${units} 유닛`),
  summary: text(
    'Two hidden layers of fully connected units: a student of distillation.',
    '완전 연결 은닉층 둘: 증류의 학생 신경망입니다.',
  ),
  source: 'Hinton, Vinyals, Dean 2015, section 3',
  input: [1, 28, 28],
  classes: 10,
  scales: true,
  write: (net, x, o, w) => {
    const a = net.relu(net.dense(net.flatten(x, 'flat'), 'fc1', w(units)), 'relu1');
    return net.dense(net.relu(net.dense(a, 'fc2', w(units)), 'relu2'), 'scores', o.classes);
  },
});

export const lenetEntries: readonly ZooEntry[] = [
  {
    id: 'lenet-300-100',
    title: text('LeNet-300-100', 'LeNet-300-100'),
    summary: text(
      'Three fully connected layers; the first net that pruning papers measure.',
      '완전 연결 레이어 셋. 가지치기 논문이 맨 먼저 재는 신경망입니다.',
    ),
    source,
    input: [1, 28, 28],
    classes: 10,
    scales: true,
    write: (net, x, o, w) => {
      const a = net.relu(net.dense(net.flatten(x, 'flat'), 'fc1', w(300)), 'relu1');
      return net.dense(net.relu(net.dense(a, 'fc2', w(100)), 'relu2'), 'scores', o.classes);
    },
  },
  {
    id: 'lenet-5',
    title: text('LeNet-5', 'LeNet-5'),
    summary: text(
      'Two convolutions and two fully connected layers (Caffe).',
      '합성곱 둘과 완전 연결 레이어 둘(Caffe).',
    ),
    source: `${source}; Caffe's version: conv 20 and 50 of 5 x 5 without padding, 2 x 2 pools, 500, 10`,
    input: [1, 28, 28],
    classes: 10,
    scales: true,
    write: (net, x, o, w) => {
      const a = net.maxPool(net.conv(x, 'conv1', w(20), 5), 'pool1', 2);
      const b = net.maxPool(net.conv(a, 'conv2', w(50), 5), 'pool2', 2);
      const c = net.relu(net.dense(net.flatten(b, 'flat'), 'fc1', w(500)), 'relu1');
      return net.dense(c, 'scores', o.classes);
    },
  },
  twoHidden(800),
  twoHidden(30),
];
