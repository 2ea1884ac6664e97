/** Owns Card and Badge. */
import type { HTMLAttributes, ReactNode } from 'react';

export interface CardProps extends Omit<HTMLAttributes<HTMLElement>, 'className'> {
  readonly active?: boolean;
}

export const Card = ({ active, children, ...rest }: CardProps) => (
  <section className={active ? 'card active' : 'card'} {...rest}>
    {children}
  </section>
);

export const Badge = ({ look = 'plain', children }: { look?: 'plain' | 'accent' | 'warn'; children: ReactNode }) => (
  <span className={`badge ${look}`}>{children}</span>
);
