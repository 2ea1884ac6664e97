/** Owns what is left when a part of the screen fails: the message, and a way on. */
import { Component, type ReactNode } from 'react';
import { text } from '#shared/base/text.ts';
import { Button } from '../ui/Button.tsx';
import { useLanguage } from '../ui/language.ts';

const words = {
  title: text('This part of the screen failed', '화면의 이 부분에 문제가 생겼습니다'),
  again: text('Show it again', '다시 보이기'),
} as const;

interface Props {
  readonly children: ReactNode;
}
interface State {
  readonly error: Error | null;
}

/** Around each panel, so that one failing leaves the others. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(thrown: unknown): State {
    return { error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const { language } = useLanguage.getState();
    return (
      <div className="empty" role="alert">
        <strong>{words.title[language]}</strong>
        <span className="mono">{error.message}</span>
        <Button onClick={() => this.setState({ error: null })}>{words.again[language]}</Button>
      </div>
    );
  }
}
