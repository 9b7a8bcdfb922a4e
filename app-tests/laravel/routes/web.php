<?php

// The routes of the tests' application.

use Illuminate\Http\Request;
use Illuminate\Support\Facades\Route;
use Illuminate\Validation\Rule;

Route::get('/', fn (Request $request) => view('home', ['user' => $request->session()->get('user', 'nobody')]));
Route::get('/hello/{name}', fn (Request $request, string $name) => view('hello', ['name' => $name, 'greeting' => $request->query('greeting', 'Hello')]));
Route::get('/error', fn () => throw new RuntimeException('as it should'));
Route::get('/dump', fn (Request $request) => dd(['method' => $request->method(), 'sapi is cli' => PHP_SAPI === 'cli', 'console' => app()->runningInConsole()]));
Route::match(['get', 'post'], '/json', fn (Request $request) => response()->json([
    'protocol' => $request->getScheme(), 'path' => $request->path(), 'ip' => $request->ip(), 'secure' => $request->secure(),
    'content' => $request->json()->all(), 'cookies' => array_keys($request->cookies->all()), 'url' => url('/there'),
], options: JSON_UNESCAPED_SLASHES));
Route::get('/away', fn () => redirect('https://example.org/?a=1', 303));
Route::get('/cookies', fn () => response('cookies')->cookie('a', '1', 5)->withCookie(cookie()->forget('c')));
Route::get('/download', fn () => response()->download(public_path('digits.txt')));
Route::get('/stream', fn () => response()->stream(function (): void {
    for ($n = 0; $n < 1000; $n++) {
        echo "piece $n\n";
        $n % 100 || flush();
    }
}, 200, ['Content-Type' => 'text/plain']));
Route::post('/upload', function (Request $request) {
    $form = $request->validate(['title' => 'required', 'file' => 'required|file']);
    $file = $form['file'];
    $answer = ['name' => $file->getClientOriginalName(), 'size' => $file->getSize(), 'title' => $form['title']];
    return response()->json($answer + ['hash' => hash_file('sha256', $file->move(storage_path('uploads'), 'kept'))]);
});
Route::get('/login', fn () => view('login'));
Route::post('/login', function (Request $request) {
    $request->validate(['name' => 'required', 'password' => ['required', Rule::in("{$request->name} secret")]]);
    $request->session()->regenerate();
    $request->session()->put('user', $request->name);
    return redirect('/account')->with('note', "Welcome, {$request->name}");
});
Route::get('/account', function (Request $request) {
    if (!$request->session()->has('user')) {
        return redirect('/login');
    }
    $request->session()->increment('visits');
    return view('account', ['user' => $request->session()->get('user'), 'visits' => $request->session()->get('visits')]);
});
Route::post('/logout', function (Request $request) {
    $request->session()->invalidate();
    return redirect('/');
});
