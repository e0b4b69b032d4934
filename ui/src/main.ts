import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { tauriConsole } from './lib/ipc/client';

const target = document.getElementById('app');
if (target) mount(App, { target, props: { port: tauriConsole } });
