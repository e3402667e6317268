import type {
  DecryptRequest,
  DecryptView,
  GenerateRequest,
  GenerateView,
  HomeRecords,
  LedgerReport,
  OpenOptions,
  SwarmApp,
  VerifyRequest,
  Waiting
} from '../../app/api-types.ts'

/** What commands need of the app, each part loaded when first called: libp2p alone takes a third of a second. */
export interface AppSource {
  /** Opens the home as a peer in this process. @throws SwarmError NOT_A_MEMBER, HOME_BUSY */
  openApp(options: OpenOptions, waiting: Waiting): Promise<SwarmApp>
  /** The process that runs the home when its socket answers, else {@link AppSource.openApp}. */
  connectOrOpen(options: OpenOptions, waiting: Waiting): Promise<SwarmApp>
  /** The process that runs the home when its socket answers, else the home's store; never the network. */
  connectOrRead(options: { readonly home?: string }, waiting: Waiting): Promise<HomeRecords>
  /** The process that runs the home. @throws SwarmError NOT_RUNNING (exit code 75) */
  connect(options: { readonly home?: string }, waiting: Waiting): Promise<SwarmApp>
  /** Works offline, on a file or on the home's store. */
  verifyLedger(request: VerifyRequest, waiting: Waiting): Promise<LedgerReport>
  decrypt(request: DecryptRequest, waiting: Waiting): Promise<DecryptView>
  generate(request: GenerateRequest, waiting: Waiting): Promise<GenerateView>
}

/** The app itself. Tests put a fake in its place. */
export const appSource: AppSource = {
  openApp: async (options, waiting) => (await import('../../app/compose.ts')).openApp(options, waiting),
  connectOrOpen: async (options, waiting) => (await import('../../app/connect.ts')).connectOrOpen(options, waiting),
  connectOrRead: async (options, waiting) => (await import('../../app/connect.ts')).connectOrRead(options, waiting),
  connect: async (options, waiting) => (await import('../../app/connect.ts')).connect(options, waiting),
  verifyLedger: async (request, waiting) => (await import('../../app/reader.ts')).verifyLedger(request, waiting),
  decrypt: async (request, waiting) => (await import('../../app/decrypt.ts')).decrypt(request, waiting),
  generate: async (request, waiting) => (await import('../../app/generate.ts')).generate(request, waiting)
}
