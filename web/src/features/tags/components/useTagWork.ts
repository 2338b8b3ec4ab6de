import { useQueryClient } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { ApiError } from '@/shared/api/errors'
import { useConfirm, useToast } from '@/shared/ui/feedback'

/** Changes the tag system, says what went wrong, and asks first where people would lose a tag of an exclusive group. */
export function useTagWork() {
  const { t } = useTranslation('tags')
  const client = useQueryClient()
  const toast = useToast()
  const confirm = useConfirm()
  const refresh = () => client.invalidateQueries({ queryKey: ['tags'] })
  const act = async (work: (settle: boolean) => Promise<unknown>) => {
    try {
      await work(false)
    } catch (error) {
      if (error instanceof ApiError && error.code === 'contact.tag_overlap')
        await confirm({ title: t('settle.title'), body: `${error.detail} ${t('settle.body')}`, ok: t('settle.ok'), run: () => work(true) })
      else toast.failed(error)
    }
    await refresh()
  }
  return { act, refresh, confirm, toast }
}
