/** Owns the Dataset port: samples by split and index, decoded but not preprocessed. */

export type Split = 'train' | 'validation' | 'test';

export interface DatasetInfo {
  /** 'digits', or the path it was read from. */
  readonly id: string;
  /** One line for people: where it comes from. */
  readonly source: string;
  /** Without labels the original model is the reference, and no accuracy is ever stated. */
  readonly labelled: boolean;
  readonly classes: readonly string[];
  /** One sample as decoded: height, width, channels (1 grey, 3 RGB), values 0..255; or plain numbers (a CSV line, an array). */
  readonly sample:
    | { readonly kind: 'image'; readonly height: number; readonly width: number; readonly channels: number }
    | {
        readonly kind: 'vector';
        readonly length: number /** Of an array; one axis where not given. */;
        readonly dims?: readonly number[];
      };
  readonly counts: Readonly<Record<Split, number>>;
  /** How the splits were made ("stratified, seed 7"), shown beside every accuracy. */
  readonly splitRule: string;
}

export interface Sample {
  /** Row-major; an image is [height, width, channels] in 0..255. */
  readonly values: Float32Array;
  /** Its own size where images differ; else the info's. */
  readonly height?: number;
  readonly width?: number;
  readonly label: number | null;
}

export interface Dataset {
  readonly info: DatasetInfo;
  /** Samples of a split by index, in the order asked. Reading `test` is for `evaluate` alone; a test holds that. */
  read(split: Split, indices: readonly number[]): Promise<readonly Sample[]>;
}
