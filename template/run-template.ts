import { Execution } from './execution.ts'
import { type Answers, type Program, Suspension } from './program.ts'
import type { GoValue } from './values.ts'

/**
 * Runs a template. Evaluation itself is synchronous, so that the many templates without queries cost no promises; one that
 * meets an asynchronous function is run again with the answer at hand. Functions are pure within one execution.
 *
 * @throws {TemplateExecError}
 */
export async function runTemplate(program: Program, name: string, data: GoValue): Promise<string> {
  const answers: Answers = new Map()
  for (;;) {
    try {
      return new Execution(program, data, answers).run(name)
    } catch (error) {
      if (!(error instanceof Suspension)) throw error
      answers.set(
        error.key,
        await error.answer.then(
          (value) => ({ value }),
          (cause: unknown) => ({ error: cause }),
        ),
      )
    }
  }
}
