import { useQuery } from '@tanstack/react-query'
import { UserPlus } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useSettled } from '@/shared/lib/settled'
import { Button, Input } from '@/shared/ui/kit'
import { QueryState } from '@/shared/ui/states'
import { peopleQuery } from '../queries'
import { Avatar } from './Avatar'
import css from './sim.module.css'

/** Whom one can be: everybody of the world, and somebody new. */
export function People({ picked, onPick, onInvent, busy }: { picked: string; onPick: (id: string) => void; onInvent: (name: string) => void; busy: boolean }) {
  const { t } = useTranslation('sim')
  const [q, setQ] = useState('')
  const query = useQuery(peopleQuery(useSettled(q)))
  return (
    <section className={css.people} aria-label={t('people.title')}>
      <div className={css.peopleHead}>
        <Input allowClear value={q} onChange={(e) => setQ(e.target.value)} placeholder={t('people.search')} aria-label={t('people.search')} maxLength={30} />
        <Button icon={<UserPlus size={15} aria-hidden />} loading={busy} onClick={() => onInvent(q)}>
          {t('people.invent')}
        </Button>
      </div>
      <QueryState query={query} height={400}>
        {(data) => (
          <ul>
            {(data.items ?? []).length === 0 && <li className={css.noPeople}>{t('people.none', { name: q })}</li>}
            {(data.items ?? []).map((p) => (
              <li key={p.id}>
                <button type="button" aria-pressed={p.id === picked} onClick={() => onPick(p.id)}>
                  <Avatar id={p.id} size={34} />
                  <span>
                    <b>{p.name}</b>
                    <small>{p.friends > 0 ? t('people.friends', { count: p.friends }) : t('people.stranger')}</small>
                  </span>
                  {p.unread > 0 && <i className="kp-num">{p.unread}</i>}
                </button>
              </li>
            ))}
          </ul>
        )}
      </QueryState>
    </section>
  )
}
