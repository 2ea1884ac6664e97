/** Owns Button. */
import type { ButtonHTMLAttributes, ReactNode } from 'react';

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'className' | 'type'> {
  readonly look?: 'plain' | 'primary' | 'quiet' | 'danger';
  readonly small?: boolean;
  /** Icon alone: the label becomes the accessible name and the tooltip. */
  readonly icon?: ReactNode;
  readonly label?: string;
}

/** `<Button look="primary" onClick={...}>Export</Button>`, or `<Button icon={<Undo2 />} label="Undo" />`. */
export function Button({ look = 'plain', small, icon, label, children, ...rest }: ButtonProps) {
  const alone = children === undefined && icon !== undefined;
  const classes = ['btn', look, small ? 'small' : '', alone ? 'icon' : ''].filter((c) => c !== '').join(' ');
  return (
    <button type="button" className={classes} aria-label={label} title={label} {...rest}>
      {icon}
      {children}
    </button>
  );
}
