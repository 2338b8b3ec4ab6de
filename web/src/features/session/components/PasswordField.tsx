import { useTranslation } from 'react-i18next'
import { Field, useWatch } from '@/shared/ui/Form'
import { Input } from '@/shared/ui/kit'
import { MIN_PASSWORD, refusal, strength } from '../password'
import styles from './PasswordField.module.css'

interface Props {
  name: string
  label: string
  /** The owner's address when the form does not ask for it. */
  email?: string
}

/** A new password with a meter; says why the server would refuse it. */
export function PasswordField({ name, label, email }: Props) {
  const { t } = useTranslation('session')
  const typed = String(useWatch(name) ?? '')
  const mail = String(useWatch('email') ?? email ?? '')
  const grade = strength(typed, mail)
  return (
    <Field
      name={name}
      label={label}
      extra={
        <span className={styles.meter} data-grade={typed ? grade : undefined}>
          <span className={styles.bars} aria-hidden>
            {[1, 2, 3, 4].map((i) => (
              <i key={i} data-on={typed !== '' && i <= Math.max(1, grade)} />
            ))}
          </span>
          <span role="status">{typed ? t(`password.grade.${grade}`) : t('password.rule', { min: MIN_PASSWORD })}</span>
        </span>
      }
      rules={[
        { required: true, message: t('password.needed') },
        {
          validator: (_, value: string) => {
            const why = value ? refusal(value, mail) : undefined
            return why ? Promise.reject(new Error(t(`password.refused.${why}`, { min: MIN_PASSWORD }))) : Promise.resolve()
          },
          validateTrigger: 'onBlur',
        },
      ]}
      validateTrigger={['onBlur']}
    >
      <Input.Password autoComplete="new-password" />
    </Field>
  )
}
