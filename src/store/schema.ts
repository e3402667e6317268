// The home database. A released migration is frozen: change the schema by adding one.
//
// Sizes and times that peers claim are REAL wherever they are added up: a sum beyond 2^53 would not be readable as an
// integer, and one lying peer must not be able to break the view.

const JOBS = `
CREATE TABLE jobs (
  job_id TEXT PRIMARY KEY,
  spec TEXT NOT NULL,
  params BLOB NOT NULL,
  options TEXT NOT NULL,
  state TEXT NOT NULL,
  incarnation INTEGER NOT NULL,
  opened_at_ms REAL NOT NULL,
  closed_at_ms REAL,
  input_modified_ms REAL NOT NULL,
  sealing_key BLOB,
  sealing_iv BLOB,
  checkpoint_chunks INTEGER,
  checkpoint_plain_bytes INTEGER,
  checkpoint_file_bytes INTEGER,
  checkpoint_digest BLOB,
  checkpoint_tail BLOB,
  releases INTEGER NOT NULL,
  duplicates INTEGER NOT NULL,
  ran_ms REAL NOT NULL,
  failure_code TEXT,
  failure_message TEXT,
  summary TEXT
) STRICT;
CREATE TABLE chunks (
  job_id TEXT NOT NULL REFERENCES jobs (job_id),
  chunk_index INTEGER NOT NULL,
  input_offset INTEGER NOT NULL,
  input_bytes INTEGER NOT NULL,
  output_offset INTEGER NOT NULL,
  output_bytes INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  merged INTEGER NOT NULL DEFAULT 0,
  peer_id TEXT,
  peer_name TEXT,
  compute_ms REAL,
  transfer_ms REAL,
  output_hash BLOB,
  receipt BLOB,
  PRIMARY KEY (job_id, chunk_index)
) STRICT;
CREATE TABLE traffic (
  job_id TEXT NOT NULL REFERENCES jobs (job_id),
  peer_id TEXT NOT NULL,
  name TEXT NOT NULL,
  bytes_in INTEGER NOT NULL,
  bytes_out INTEGER NOT NULL,
  PRIMARY KEY (job_id, peer_id)
) STRICT;
`

const PEERS = `
CREATE TABLE peers (
  peer_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  addresses TEXT NOT NULL,
  last_seen_ms REAL NOT NULL,
  jobs INTEGER NOT NULL,
  speeds TEXT NOT NULL
) STRICT;
CREATE INDEX peers_by_last_seen ON peers (last_seen_ms);
`

const LEDGER = `
CREATE TABLE feeds (
  author TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE TABLE entries (
  author TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  hash BLOB NOT NULL,
  envelope BLOB NOT NULL,
  PRIMARY KEY (author, sequence)
) STRICT;
CREATE TABLE fork_proofs (
  author TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL,
  first BLOB NOT NULL,
  second BLOB NOT NULL
) STRICT;
CREATE TABLE receipts (
  hash BLOB PRIMARY KEY,
  submitter TEXT NOT NULL,
  job_id TEXT NOT NULL,
  chunk_index INTEGER NOT NULL,
  worker TEXT NOT NULL,
  worker_name TEXT NOT NULL,
  kind TEXT NOT NULL,
  unit TEXT NOT NULL,
  units REAL NOT NULL,
  verification TEXT NOT NULL,
  compute_ms REAL NOT NULL,
  input_offset INTEGER NOT NULL,
  input_bytes INTEGER NOT NULL,
  output_bytes INTEGER NOT NULL,
  input_hash BLOB NOT NULL,
  accepted_at_ms REAL NOT NULL,
  -- 1 when this receipt is the one that earns the credit of its (submitter, job, chunk).
  credited INTEGER NOT NULL,
  -- 0: not in this peer's own feed; 1: waits to be written there; 2: written there.
  own INTEGER NOT NULL,
  envelope BLOB NOT NULL
) STRICT;
CREATE INDEX receipts_by_chunk ON receipts (submitter, job_id, chunk_index);
CREATE INDEX receipts_by_job ON receipts (job_id, chunk_index);
CREATE INDEX receipts_pending ON receipts (own) WHERE own = 1;
CREATE TABLE credits (
  worker TEXT NOT NULL,
  submitter TEXT NOT NULL,
  job_id TEXT NOT NULL,
  unit TEXT NOT NULL,
  verification TEXT NOT NULL,
  chunks INTEGER NOT NULL,
  units REAL NOT NULL,
  compute_ms REAL NOT NULL,
  bytes_in REAL NOT NULL,
  bytes_out REAL NOT NULL,
  last_ms REAL NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (worker, submitter, job_id, unit, verification)
) STRICT;
CREATE INDEX credits_by_job ON credits (job_id);
CREATE TABLE job_closes (
  submitter TEXT NOT NULL,
  job_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  kind TEXT NOT NULL,
  input_bytes INTEGER NOT NULL,
  chunks INTEGER NOT NULL,
  local_chunks INTEGER NOT NULL,
  local_units REAL NOT NULL,
  receipts_root BLOB NOT NULL,
  receipts INTEGER NOT NULL,
  closed_at_ms REAL NOT NULL,
  PRIMARY KEY (submitter, job_id)
) STRICT;
`

// Written with the state that ends a job; its chunks do not change after. What is counted until later (time, traffic,
// releases) and what was known before (spec, options) is read from the job's other rows.
const HISTORY = `
CREATE TABLE history (
  job_id TEXT PRIMARY KEY REFERENCES jobs (job_id),
  -- JSON: {"samples"}, or {"rows", "inner", "columns", "tileRows", "tileColumns"} of a matrix product.
  dimensions TEXT,
  chunks INTEGER NOT NULL,
  local_chunks INTEGER NOT NULL,
  input_bytes INTEGER NOT NULL,
  output_bytes INTEGER NOT NULL,
  compute_ms REAL NOT NULL,
  transfer_ms REAL NOT NULL,
  peer_count INTEGER NOT NULL,
  -- JSON list of {"peerId", "name", "chunks", "computeMs", "inputBytes", "outputBytes"}, most chunks first.
  peers TEXT NOT NULL
) STRICT;
`

// What this machine measured, with the date. A kernel's name says its shape too, since small tiles run at another speed.
const MEASURES = `
CREATE TABLE kernel_measures (
  kernel TEXT PRIMARY KEY,
  ns_per_byte REAL NOT NULL,
  start_ms REAL NOT NULL,
  check_ns_per_byte REAL NOT NULL,
  source TEXT NOT NULL,
  measured_at_ms REAL NOT NULL
) STRICT;
CREATE TABLE link_measures (
  peer_id TEXT PRIMARY KEY,
  bytes_per_second REAL NOT NULL,
  latency_ms REAL NOT NULL,
  measured_at_ms REAL NOT NULL
) STRICT;
`

/** Migrations of the home database, in order; its schema version counts those that ran. */
export const HOME_MIGRATIONS: readonly string[] = [JOBS + PEERS + LEDGER, HISTORY, MEASURES]

/** Migrations of the libp2p datastore, in order. */
export const DATASTORE_MIGRATIONS: readonly string[] = [
  'CREATE TABLE pairs (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;'
]
