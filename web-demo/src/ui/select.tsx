import { Check, ChevronDown } from 'lucide-react';
import { Select } from 'radix-ui';

export interface SelectOption {
  readonly value: string;
  readonly label: string;
  readonly hint?: string;
}

export interface SelectFieldProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly SelectOption[];
  readonly disabled?: boolean;
  readonly quiet?: boolean;
  readonly onChange: (value: string) => void;
}

export function SelectField({
  label,
  value,
  options,
  disabled = false,
  quiet = false,
  onChange,
}: SelectFieldProps) {
  return (
    <Select.Root value={value} onValueChange={onChange} disabled={disabled}>
      <Select.Trigger className={quiet ? 'select select--quiet' : 'select'} aria-label={label}>
        <Select.Value />
        <Select.Icon className="select__icon">
          <ChevronDown />
        </Select.Icon>
      </Select.Trigger>
      <Select.Portal>
        <Select.Content className="menu" position="popper" align="end" sideOffset={6} collisionPadding={8}>
          <Select.Viewport>
            {options.map((option) => (
              <Select.Item key={option.value} value={option.value} className="menu__item select__item">
                <span className="select__text">
                  <Select.ItemText>{option.label}</Select.ItemText>
                  {option.hint && <span className="select__hint">{option.hint}</span>}
                </span>
                <Select.ItemIndicator className="menu__check">
                  <Check />
                </Select.ItemIndicator>
              </Select.Item>
            ))}
          </Select.Viewport>
        </Select.Content>
      </Select.Portal>
    </Select.Root>
  );
}
