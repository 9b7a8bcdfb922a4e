<!doctype html><title>{{ config('app.name') }}</title>
@yield('content')
