LargeBlocks.giveBackWhenFree()
// A reader that has gone away is noticed at the next write, not by a signal.
StandardOutput.ignoreBrokenPipes()
exitProcess(await CommandLineTool.run(Array(CommandLine.arguments.dropFirst())))
