import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Contact } from '@/shared/api/types'
import { useToast } from '@/shared/ui/feedback'
import { CONTACTS_KEY, contactQuery } from '../queries'

/** Runs a change whose answer is the changed contact: the profile shows it at once, lists are fetched again. */
export function useContactChange<V>(id: string, change: (value: V) => Promise<Contact>) {
  const client = useQueryClient()
  const toast = useToast()
  return useMutation({
    mutationFn: change,
    onSuccess: (contact) => {
      client.setQueryData(contactQuery(id).queryKey, contact)
      void client.invalidateQueries({ queryKey: [...CONTACTS_KEY, 'list'] })
      void client.invalidateQueries({ queryKey: [...CONTACTS_KEY, 'one', id, 'timeline'] })
    },
    onError: (error) => toast.failed(error),
  })
}
