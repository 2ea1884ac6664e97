/** Owns the entry of the command line: runs the program, and ends with one clear line where something is wrong. */
import { faultLine, toFault } from '#shared/base/fault.ts';
import { program } from './program.ts';

try {
  await program().parseAsync(process.argv);
} catch (thrown) {
  const fault = toFault(thrown);
  process.stderr.write(`bantam: ${faultLine(fault)}\n`);
  if (fault.code === 'internal' && fault.cause instanceof Error && process.env.BANTAM_DEBUG)
    process.stderr.write(`${fault.cause.stack}\n`);
  process.exitCode = 1;
}
