import { readCsv } from './data-set.ts';
import { type Feed, inTimeOrder } from './feed-event.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Jan 1 2000`, at midnight UTC whatever the time zone of the machine. */
function parseDate(text: string): number {
  const [month, day, year] = text.split(' ');
  return Date.UTC(Number(year), MONTHS.indexOf(month), Number(day));
}

/** The monthly prices of five companies over ten years, in US dollars, on `stocks/{symbol}`. */
export async function readStocks(): Promise<Feed> {
  const rows = await readCsv('stocks.csv');
  const events = rows.map(({ symbol, date, price }) => {
    const timeMs = parseDate(date);
    const day = new Date(timeMs).toISOString().slice(0, 10);
    return {
      channel: `stocks/${symbol}`,
      id: `${symbol}-${day}`,
      source: 'https://github.com/vega/vega-datasets/stocks',
      type: 'com.example.stock.price',
      timeMs,
      data: { symbol, date: day, price: Number(price) },
    };
  });
  return { name: 'stocks', events: inTimeOrder(events) };
}
