export { type Board, boardAt, type Departure, type Status } from './board.ts';
export { minuteAfter } from './board-clock.ts';
export { type Airport, type Flight, readAirports } from './flights.ts';
