LargeBlocks.giveBackWhenFree()
// A reader that has gone away is noticed at the next write, not by a signal.
StandardOutput.ignoreBrokenPipes()
Task.detached { exitProcess(await CommandLineTool.run(Array(CommandLine.arguments.dropFirst()))) }
// The first thread sleeps. One that awaits hands itself over to the runtime, which ends it by unwinding its stack: that reads
// the tables of the whole program, at each start.
awaitExit()
