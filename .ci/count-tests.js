// Prints `N passed, N failed` from Vitest's JSON report; a test file that did not load counts as a failure.
import { existsSync, readFileSync } from 'node:fs'

const [path] = process.argv.slice(2)
const { passed, failed } = count(path)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function count(reportPath) {
  // The run ended before there was a report.
  if (reportPath === undefined || !existsSync(reportPath)) return { passed: 0, failed: 1 }
  const report = JSON.parse(readFileSync(reportPath, 'utf8'))
  const unloaded = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(isFailed)
  )
  const failed = report.numFailedTests + unloaded.length
  return { passed: report.numPassedTests, failed: failed === 0 && report.success !== true ? 1 : failed }
}

function isFailed(result) {
  return result.status === 'failed'
}
