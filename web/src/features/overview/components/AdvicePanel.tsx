import { ArrowRight, CircleCheck, Lightbulb, TriangleAlert } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Overview } from '@/shared/api/types'
import { useChannelName } from '@/shared/lib/channels'
import { usePrefs } from '@/shared/lib/prefs'
import { Panel } from '@/shared/ui/Panel'
import { Empty } from '@/shared/ui/states'
import { adviceLink, adviceText } from '../advice'
import { withScope, type Scope } from '../links'
import css from './AdvicePanel.module.css'

/** What to do next, worked out by the server from the facts. */
export function AdvicePanel({ advice, scope }: { advice: Overview['advice']; scope: Scope }) {
  const { t } = useTranslation('overview')
  const { lang } = usePrefs()
  const channelName = useChannelName()
  return (
    <Panel title={t('advicePanel.title')} flush className={css.panel}>
      {advice.length === 0 ? (
        <Empty
          icon={<CircleCheck size={26} strokeWidth={1.5} aria-hidden />}
          title={t('advicePanel.calm')}
          desc={t('advicePanel.calmDesc')}
        />
      ) : (
        // Reachable by keyboard because it scrolls when there is much to do.
        <ul className={css.list} tabIndex={0} aria-label={t('advicePanel.title')}>
          {advice.map((a) => {
            const { title, desc } = adviceText(a, { lang, currency: scope.currency, channelName })
            const to = adviceLink(withScope(a.link, scope))
            const warn = a.severity === 'warn'
            const go = (path: string) => (path.startsWith('/people') ? t('advicePanel.who') : warn ? t('advicePanel.go') : t('advicePanel.look'))
            return (
              <li key={a.code + a.link} className={css.item}>
                <span className={warn ? css.warn : css.info} role="img" aria-label={warn ? t('advicePanel.warn') : t('advicePanel.info')}>
                  {warn ? <TriangleAlert size={16} aria-hidden /> : <Lightbulb size={16} aria-hidden />}
                </span>
                <div>
                  <h3>{title}</h3>
                  {desc && <p>{desc}</p>}
                  {to && (
                    <Link to={to} aria-label={`${go(to)}: ${title}`}>
                      {go(to)}
                      <ArrowRight size={13} aria-hidden />
                    </Link>
                  )}
                </div>
              </li>
            )
          })}
        </ul>
      )}
    </Panel>
  )
}
