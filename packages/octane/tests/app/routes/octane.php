<?php

// What the tests of ferrite/octane ask beside the routes of the application.

use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;
use Laravel\Octane\Contracts\DispatchesTasks;

Route::get('/pid', fn () => (string) getmypid());
// What a request changes of the application, and what the next one finds of it.
Route::get('/state', function (Request $request) {
    $found = [config('app.name'), app()->bound('mine') ? app('mine') : null, $request->attributes->get('mine'), view()->shared('mine'), app()->getLocale()];
    if ($request->query('set') !== null) {
        config(['app.name' => $request->query('set')]);
        app()->instance('mine', $request->query('set'));
        $request->attributes->set('mine', $request->query('set'));
        view()->share('mine', $request->query('set'));
        app()->setLocale('de');
    }
    return response()->json($found);
});
Route::get('/exit', function () {
    config(['app.name' => 'left']);
    echo 'left';
    exit;
});
Route::get('/echo', function () {
    echo 'printed, ';
    return 'returned';
});
Route::put('/form', fn (Request $request) => ['input' => $request->post(), 'method' => $request->method(), 'user' => $request->getUser()])
    ->withoutMiddleware(App\Http\VerifyCsrfToken::class);
Route::post('/body', fn (Request $request) => md5($request->getContent()))->withoutMiddleware(App\Http\VerifyCsrfToken::class);
Route::get('/server', fn (Request $request) => [
    'secure' => $request->secure(), 'url' => $request->fullUrl(), 'port' => $request->getPort(), 'proxy' => $request->server('HTTP_PROXY'),
    'protocol' => $request->server('SERVER_PROTOCOL'), 'a' => $request->header('x-a'), 'base' => $request->getBaseUrl(),
]);
Route::get('/gone', fn () => response()->download(tap(tempnam(sys_get_temp_dir(), 'octane'), fn ($file) => file_put_contents($file, 'once')))->deleteFileAfterSend());
Route::get('/escapes', function () {
    // An error that the handler of errors does not survive.
    app()->bind(Illuminate\Contracts\Debug\ExceptionHandler::class, fn () => throw new LogicException('the handler is broken'));
    throw new RuntimeException('thrown on purpose');
});
Route::get('/after', function (Request $request) {
    app()->terminating(fn () => file_put_contents(storage_path('logs/terminated'), $request->query('x')));
    return 'before';
});
Route::get('/tasks', fn () => app(DispatchesTasks::class)->resolve(['a' => fn () => 1 + 1, 'b' => fn () => 'two']));
Route::get('/table-sorted', function () {
    $values = array_map(fn ($row) => $row['value'], iterator_to_array(app('octane.cacheTable')));
    sort($values);
    return implode(',', $values);
});
Route::get('/table', function (Request $request) {
    $table = app('octane.cacheTable');
    $row = fn (string $value, int $seconds = 60) => ['value' => $value, 'expiration' => time() + $seconds];
    try {
        $answer = match ($request->query('do')) {
            'set' => $table->set($request->query('key'), $row($request->query('value'), (int) $request->query('seconds', 60))),
            'get' => $table->get($request->query('key')),
            'del' => $table->del($request->query('key')),
        };
        return response()->json(is_array($answer) && isset($answer['value']) ? $answer['value'] : $answer);
    } catch (LengthException $error) {
        return response()->json($error->getMessage());
    }
});
