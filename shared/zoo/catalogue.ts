/**
 * Owns the catalogue of trained models that others publish: where each lies, what its bytes hash to, under which licence, and how
 * samples become its input. Nothing of them is part of Bantam; sizes and hashes are their publishers'.
 */
import { Fault } from '../base/fault.ts';
import { type Text, text } from '../base/text.ts';
import { type Preprocess, preprocessSchema } from '../training/preprocess-schema.ts';

export interface CatalogueEntry {
  readonly id: string;
  readonly title: Text;
  /** https only. */
  readonly address: string;
  readonly bytes: number;
  /** Hexadecimal, of the file as it is fetched. */
  readonly sha256: string;
  /** SPDX expression of what the publisher states. */
  readonly licence: string;
  /** Who publishes it, and where hash and licence stand. */
  readonly source: string;
  readonly data: string;
  readonly preprocess: Preprocess;
}

/** Mean and deviation of ImageNet's channels, on 0..1. */
const imagenet = preprocessSchema.parse({
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
  colour: 'rgb',
  resize: 'crop',
});
const rawDigits = preprocessSchema.parse({ scale: 1, colour: 'grey' });

const zooFolder = 'https://github.com/onnx/models/raw/main/validated/vision/classification';

/** A model of the ONNX model zoo; size and hash as its hub manifest has them. */
const fromOnnxZoo = (
  id: string,
  title: Text,
  path: string,
  bytes: number,
  sha256: string,
  more: Pick<CatalogueEntry, 'licence' | 'data' | 'preprocess'>,
): CatalogueEntry => ({
  id,
  title,
  address: `${zooFolder}/${path}`,
  bytes,
  sha256,
  source: 'onnx/models (ONNX_HUB_MANIFEST.json)',
  ...more,
});

const apacheImagenet = { licence: 'Apache-2.0', data: 'ImageNet', preprocess: imagenet } as const;
const mitDigits = { licence: 'MIT', data: 'MNIST', preprocess: rawDigits } as const;

export const catalogue: readonly CatalogueEntry[] = [
  fromOnnxZoo(
    'mnist-8',
    text('MNIST CNN, CNTK', 'MNIST CNN (CNTK)'),
    'mnist/model/mnist-8.onnx',
    26_454,
    '2f06e72de813a8635c9bc0397ac447a601bdbfa7df4bebc278723b958831c9bf',
    mitDigits,
  ),
  fromOnnxZoo(
    'mnist-12',
    text('MNIST CNN, CNTK, opset 12', 'MNIST CNN (CNTK, opset 12)'),
    'mnist/model/mnist-12.onnx',
    26_143,
    '5c688690f8bacf667d4c2074af5ad0646ca328d7ab03eccf944a65b320171bdd',
    mitDigits,
  ),
  {
    id: 'mnist-batchnorm',
    title: text('MNIST CNN with BatchNormalization', '배치 정규화가 있는 MNIST CNN'),
    address:
      'https://raw.githubusercontent.com/tracel-ai/burn-onnx/7db1e206c9f3c8842dd5430010c172fa53457164/examples/onnx-inference/src/model/mnist.onnx',
    bytes: 1_530_828,
    sha256: '5de2936be8f335e42049fc72a268d951481c782b113846e8c0021d8af7b4b519',
    licence: 'MIT OR Apache-2.0',
    source: 'tracel-ai/burn-onnx (hash taken from the file at that commit)',
    data: 'MNIST',
    preprocess: preprocessSchema.parse({ mean: [0.1307], std: [0.3081], colour: 'grey' }),
  },
  fromOnnxZoo(
    'squeezenet-1.1',
    text('SqueezeNet 1.1', 'SqueezeNet 1.1'),
    'squeezenet/model/squeezenet1.1-7.onnx',
    4_956_208,
    '1eeff551a67ae8d565ca33b572fc4b66e3ef357b0eb2863bb9ff47a918cc4088',
    apacheImagenet,
  ),
  fromOnnxZoo(
    'mobilenet-v2',
    text('MobileNet v2', 'MobileNet v2'),
    'mobilenet/model/mobilenetv2-12.onnx',
    13_964_571,
    'c0c3f76d93fa3fd6580652a45618618a220fced18babf65774ed169de0432ad5',
    apacheImagenet,
  ),
  fromOnnxZoo(
    'mobilenet-v2-int8',
    text('MobileNet v2, int8', 'MobileNet v2 (int8)'),
    'mobilenet/model/mobilenetv2-12-int8.onnx',
    3_655_033,
    'cc028fe6cae7bc11a4ff53cfc9b79c920e8be65ce33a904ec3e2a8f66d77f95f',
    apacheImagenet,
  ),
  fromOnnxZoo(
    'resnet-34-v2',
    text('ResNet-34 v2 (pre-activation)', 'ResNet-34 v2 (사전 활성화)'),
    'resnet/model/resnet34-v2-7.onnx',
    87_288_587,
    '3d3815e25f4b1ea967e2a526a3b27ef2a03af1725bdc199a63a271c26862d914',
    apacheImagenet,
  ),
  fromOnnxZoo(
    'resnet-50',
    text('ResNet-50', 'ResNet-50'),
    'resnet/model/resnet50-v1-12.onnx',
    102_576_593,
    '3f03fdef724b22947eed826f1eef1dc5c34151bb4c37d634f1db89dfa2dd1526',
    apacheImagenet,
  ),
  fromOnnxZoo(
    'resnet-50-int8',
    text('ResNet-50, int8', 'ResNet-50 (int8)'),
    'resnet/model/resnet50-v1-12-int8.onnx',
    25_816_052,
    'c234f30975989788b4405f25253275aae247ab6dbdd34aaa69ab0a59ff76f6d0',
    apacheImagenet,
  ),
];

/** Faults: `not-found`, listing those there are. */
export function catalogueEntry(id: string): CatalogueEntry {
  const found = catalogue.find((e) => e.id === id);
  if (found !== undefined) return found;
  throw new Fault(
    'not-found',
    text(`there is no trained model "${id}" in the catalogue`, `목록에 학습된 모델 "${id}"이(가) 없습니다`),
    {
      hint: text(
        `There are ${catalogue.map((e) => e.id).join(', ')}.`,
        `있는 모델: ${catalogue.map((e) => e.id).join(', ')}.`,
      ),
    },
  );
}
