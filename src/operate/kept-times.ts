/** A histogram for Prometheus of times that the store has: how many took how many seconds. */
import { Histogram, type Registry } from 'prom-client'

export interface KeptTime { address: string; hours: 'wall' | 'business'; seconds: number; count: number }

interface Config { name: string; help: string; registers: Registry[]; buckets: number[] }

type Kept = ReturnType<Histogram<'address' | 'hours'>['get']>

export class KeptTimes extends Histogram<'address' | 'hours'> {
  private readonly empty: Histogram<'address' | 'hours'>
  private readonly bounds: number[]
  private times: KeptTime[] = []

  constructor (config: Config) {
    super({ ...config, labelNames: ['address', 'hours'] })
    this.empty = new Histogram({ ...config, labelNames: ['address', 'hours'], registers: [] })
    this.bounds = config.buckets
  }

  keep (times: KeptTime[]): void { this.times = times }

  override async get (): Kept {
    const empty = await this.empty.get()
    const series = Map.groupBy(this.times, ({ address, hours }) => JSON.stringify([address, hours]))
    return { ...empty, values: [...series.values()].flatMap(times => this.valuesOf(empty.name, times)) }
  }

  /** The registry asks this one first, if there is one. */
  getForPromString (): Kept { return this.get() }

  private valuesOf (name: string, times: KeptTime[]): Awaited<Kept>['values'] {
    const labels = { address: times[0]?.address ?? '', hours: times[0]?.hours ?? 'wall' }
    const count = (most: number): number => times.reduce((sum, one) => one.seconds <= most ? sum + one.count : sum, 0)
    return [
      ...[...this.bounds, '+Inf'].map(le => ({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: count(Number(le) || Infinity) })),
      { metricName: `${name}_sum`, labels, value: times.reduce((sum, one) => sum + one.seconds * one.count, 0) },
      { metricName: `${name}_count`, labels, value: count(Infinity) }
    ]
  }
}
