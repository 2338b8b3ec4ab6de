import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { Link } from 'react-router'
import type { Rule, Segment } from '@/shared/api/types'
import { usePrefs } from '@/shared/lib/prefs'
import { ExplainTree } from '@/shared/rules/Explain'
import { explainQuery } from '@/shared/rules/queries'
import { Chip } from '@/shared/ui/chips'
import { Alert } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { DateTime } from '@/shared/ui/values'
import { standingQuery } from '../queries'
import { PersonPick } from './PersonPick'
import css from './segments.module.css'

interface Asked {
  /** Who is asked about: a contact's id. */
  person: string | undefined
  onPerson: (id: string | undefined) => void
}

/** Whom a rule that is being written would take: choose anybody, and every part of it says whether it holds for them. */
export function WhyRule({ rule, person, onPerson }: Asked & { rule: Rule }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const why = useQuery({ ...explainQuery(rule, person ?? '', lang), enabled: person !== undefined })
  return (
    <div className={css.why}>
      <PersonPick person={person} onPerson={onPerson} />
      {person !== undefined && (
        <QueryState query={why} height={120}>
          {(w) => (
            <>
              <Verdict in={w.holds} person={person} words={w.holds ? t('why.holds') : t('why.holdsNot')} />
              <ExplainTree verdict={w.rule} />
            </>
          )}
        </QueryState>
      )}
    </div>
  )
}

/** Why somebody is in a segment or not, and since when. What is kept and what the rule says now may differ for a moment, or for good once it is put away. */
export function Why({ segment, person, onPerson }: Asked & { segment: Segment }) {
  const { t } = useTranslation('segments')
  const { lang } = usePrefs()
  const query = useQuery({ ...standingQuery(segment.id, person ?? '', lang), enabled: person !== undefined })
  const dynamic = segment.kind === 'dynamic'
  return (
    <div className={css.why}>
      <PersonPick person={person} onPerson={onPerson} />
      {person !== undefined && (
        <QueryState query={query} height={120}>
          {(s) => (
            <>
              <Verdict in={s.member} person={person} words={s.member ? t('why.in') : t('why.out')}>
                {s.member && dynamic && (
                  <span className="kp-muted">
                    {s.since ? (
                      <>
                        {t('why.since')} <DateTime at={s.since} />
                      </>
                    ) : (
                      t('why.byDefinition')
                    )}
                  </span>
                )}
              </Verdict>
              {s.why && s.why.holds !== s.member && <Alert type="info" showIcon title={segment.status === 'archived' ? t('why.archived') : t('why.differs')} />}
              {s.why ? <ExplainTree verdict={s.why.rule} /> : <p className="kp-muted">{s.member ? t('why.listIn') : t('why.listOut')}</p>}
            </>
          )}
        </QueryState>
      )}
    </div>
  )
}

function Verdict({ in: inside, person, words, children }: { in: boolean; person: string; words: string; children?: React.ReactNode }) {
  const { t } = useTranslation('segments')
  return (
    <p className={css.verdict}>
      <Chip tone={inside ? 'good' : 'neutral'}>{words}</Chip>
      {children}
      <Link to={`/contacts/${person}`}>{t('why.profile')}</Link>
    </p>
  )
}
