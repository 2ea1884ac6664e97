// A stand-in for the job process: does what the task's data field says, so that crashes and cancelling can be tested.
const say = (message) => process.send(message);
const progress = (share, what) => say({ kind: 'progress', progress: { share, what, secondsLeft: null } });
const done = () => say({ kind: 'done', outcome: { kind: 'job', result: {}, wrote: false } });
let cancelled = false;
process.on('disconnect', () => process.exit(0));
process.on('message', (message) => {
  if (message.kind === 'cancel') {
    cancelled = true;
    return;
  }
  const what = message.task.spec.data;
  if (what === 'abort') {
    progress(0.4, 'about to die');
    say({ kind: 'log', line: 'last words' });
    setTimeout(() => process.abort(), 30);
  } else if (what === 'memory') {
    process.stderr.write('FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n', () =>
      process.abort(),
    );
  } else if (what === 'hang') {
    progress(0.1, 'busy');
    setTimeout(() => {
      for (;;);
    }, 20);
  } else if (what === 'polite') {
    progress(0.1, 'stepping');
    const timer = setInterval(() => {
      if (!cancelled) return;
      clearInterval(timer);
      say({ kind: 'cancelled' });
      setTimeout(() => process.exit(0), 10);
    }, 5);
  } else if (what === 'fault') {
    process.send({ kind: 'failed', fault: { code: 'runtime', message: 'no', where: 'node' } }, () => process.exit(0));
  } else if (what === 'chatty') {
    for (let i = 0; i < 1000; i++) progress(i / 1000, `step ${i}`);
    for (let i = 0; i < 3; i++) say({ kind: 'curve', point: { epoch: i, loss: 1 / (i + 1), validation: null } });
    for (let i = 0; i < 3; i++) say({ kind: 'log', line: `line ${i}` });
    done();
    setTimeout(() => process.exit(0), 20);
  } else {
    done();
    setTimeout(() => process.exit(0), 10);
  }
});
