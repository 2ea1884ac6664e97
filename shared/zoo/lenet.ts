/** Owns LeNet-300-100 and LeNet-5 for 28 x 28 grey digits, the nets that Deep Compression (Han et al. 2016) measures. */
import type { Model } from '../ir/model.ts';
import { NetWriter } from './write-net.ts';

/** 784 - 300 - 100 - 10, ReLU between: 266,610 parameters (LeCun et al. 1998). input: [N, 1, 28, 28] */
export function lenet300(seed = 1): Model {
  const net = new NetWriter(seed);
  const flat = net.node('Flatten', ['input'], 'flat');
  const a = net.relu(net.dense(flat, 'fc1', 784, 300), 'relu1');
  const b = net.relu(net.dense(a, 'fc2', 300, 100), 'relu2');
  return net.model('lenet-300-100', [1, 28, 28], net.dense(b, 'scores', 100, 10), 10);
}

/** Caffe's LeNet-5: conv 20 and 50 of 5 x 5 without padding, 2 x 2 pools, 500, 10: 431,080 parameters. */
export function lenet5(seed = 1): Model {
  const net = new NetWriter(seed);
  const a = net.maxPool(net.conv('input', 'conv1', 1, 20, 5), 'pool1', 2);
  const b = net.maxPool(net.conv(a, 'conv2', 20, 50, 5), 'pool2', 2);
  const flat = net.node('Flatten', [b], 'flat');
  const c = net.relu(net.dense(flat, 'fc1', 800, 500), 'relu1');
  return net.model('lenet-5', [1, 28, 28], net.dense(c, 'scores', 500, 10), 10);
}
