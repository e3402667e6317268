// The contract lives with the API, which serves it and is below the app; commands and app take it from here.
export type * from '../api/swarm-app.ts'
export type * from '../api/views.ts'
