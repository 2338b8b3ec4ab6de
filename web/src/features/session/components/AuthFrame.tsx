import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Lang } from '@/shared/i18n/lang'
import { LangSwitch, ThemeSwitch } from '@/shared/ui/switches'
import { Koi } from './Koi'
import styles from './AuthFrame.module.css'

interface Props {
  title: string
  lead?: ReactNode
  children: ReactNode
  /** Small print below the card. */
  foot?: ReactNode
  wide?: boolean
  /** The reader chose another language here. */
  onLang?: (lang: Lang) => void
}

/** The pages before sign-in: one card over still water. */
export function AuthFrame({ title, lead, children, foot, wide, onLang }: Props) {
  const { t } = useTranslation('session')
  return (
    <div className={styles.page}>
      <Water />
      <header className={styles.top}>
        <span className={styles.brand}>
          <img src="/favicon.svg" alt="" width={34} height={34} />
          <b>{t('brand.name')}</b>
          <span className="kp-muted">{t('brand.line')}</span>
        </span>
        <span className="kp-row">
          <LangSwitch onChange={onLang} />
          <ThemeSwitch />
        </span>
      </header>
      <main className={wide ? `${styles.card} ${styles.wide}` : styles.card}>
        <h1>{title}</h1>
        {lead && <p className={styles.lead}>{lead}</p>}
        {children}
      </main>
      <footer className={styles.foot}>{foot}</footer>
    </div>
  )
}

/** Rings on a pond and a koi below them; decoration only. */
function Water() {
  return (
    <svg className={styles.water} viewBox="0 0 1200 700" preserveAspectRatio="xMidYMid slice" aria-hidden>
      <g fill="none" stroke="var(--pri)" strokeWidth="1.2">
        {[60, 120, 190, 270, 360].map((r, i) => (
          <ellipse key={r} cx="980" cy="560" rx={r * 1.5} ry={r * 0.5} opacity={0.16 - i * 0.026} />
        ))}
        {[50, 105, 170, 245].map((r, i) => (
          <ellipse key={r} cx="170" cy="180" rx={r * 1.5} ry={r * 0.5} opacity={0.12 - i * 0.024} />
        ))}
      </g>
      <g transform="translate(930 545) rotate(-12) scale(1.25)">
        <Koi />
      </g>
      <g transform="translate(205 165) rotate(152) scale(.62)">
        <Koi />
      </g>
    </svg>
  )
}
