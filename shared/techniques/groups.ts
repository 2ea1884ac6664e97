/** Owns the families under which techniques stand on the screen and in the documentation, in their order. */
import { type Text, text } from '../base/text.ts';

export type TechniqueGroup = 'prune' | 'quantize' | 'share' | 'factorize' | 'blocks' | 'scale' | 'train' | 'clean-up';

export const techniqueGroups: readonly { readonly id: TechniqueGroup; readonly title: Text }[] = [
  { id: 'prune', title: text('Prune', '가지치기') },
  { id: 'quantize', title: text('Quantize', '양자화') },
  { id: 'share', title: text('Share weights', '가중치 공유') },
  { id: 'factorize', title: text('Factorise', '저랭크 분해') },
  { id: 'blocks', title: text('Blocks', '블록 교체') },
  { id: 'scale', title: text('Scale', '크기 조절') },
  { id: 'train', title: text('Train', '학습') },
  { id: 'clean-up', title: text('Clean up', '정리') },
];
