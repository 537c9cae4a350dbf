/** A store that watches the plans that go through it: each does something, or says why not. */
import type { Plan } from '../../src/plan/plan'
import type { Store } from '../../src/store/store'

const planIn = (value: unknown): Plan | undefined =>
  typeof value === 'object' && value !== null && 'plan' in value ? value.plan as Plan : undefined

/** `judge` is called for each plan; `isSilent`: nothing comes of it, and nobody knows why. */
export const watchPlans = (store: Store, judge: (plan: Plan, isSilent: boolean) => void): Store => ({
  ...store,
  run: async (...asked) => {
    const value = await store.run(...asked)
    const plan = planIn(value)
    if (plan !== undefined) judge(plan, plan.why === undefined && plan.deliveries.length + plan.changes.length === 0)
    return value
  }
})
